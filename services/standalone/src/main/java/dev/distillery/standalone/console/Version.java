package dev.distillery.standalone.console;

import picocli.CommandLine.IVersionProvider;

/** The version of this build, as Maven wrote it into the jar. */
public final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {"distillery " + (version == null ? "(development)" : version)};
    }
}
