package dev.distillery.standalone.installation;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.events.TrainRequest;
import dev.distillery.standalone.console.UserException;
import picocli.CommandLine.Parameters;

/** The run that a command is about. */
final class NamedRun {
    @Parameters(paramLabel = "NAME", description = "The run's name.")
    private String name;

    /** @throws UserException if no run can have this name */
    String name() {
        return checked(name);
    }

    static String checked(String name) {
        if (!TrainRequest.isRunName(name)) {
            throw UserException.badInput("NAME must be a run's name (a-z, 0-9 and -) but is '" + name + "'");
        }
        return name;
    }

    /** @throws UserException if the store holds no request of this name */
    static void require(ArtifactStore store, String name) {
        if (store.stat(Keys.request(name)).isEmpty()) {
            throw UserException.badInput(
                    "There is no run '" + name + "' in the store: 'distillery runs' lists those that were accepted.");
        }
    }
}
