package dev.distillery.standalone.processes;

import java.util.Map;

/** Broker and store of an installation, for its parts: the services' names, {@code setup}, {@code client}, {@code operator}. */
interface Backend extends AutoCloseable {

    /** The environment that lets a part in. */
    Map<String, String> environment(String part);

    /** Whether a part may do only what it needs. */
    boolean restricts();

    @Override
    void close() throws Exception;
}
