package dev.distillery.standalone.installation;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

import javax.net.ssl.SSLException;

import dev.distillery.artifacts.StoreException;
import dev.distillery.artifacts.StoreRefusedException;
import dev.distillery.artifacts.StoreUnavailableException;
import dev.distillery.standalone.console.Failures;
import dev.distillery.standalone.console.UserException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;

/** What is wrong with a broker or a store, in a line that names the setting and who said it. */
final class Troubles {
    private Troubles() {}

    static <T> T explained(Settings settings, Callable<T> work) throws Exception {
        try {
            return work.call();
        } catch (ExecutionException | CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? explain(settings, cause) : e;
        } catch (RuntimeException e) {
            throw explain(settings, e);
        }
    }

    /** The same exception, if it is about something else. */
    private static RuntimeException explain(Settings settings, RuntimeException e) {
        if (e instanceof StoreException) {
            return UserException.failed(store(settings, e), e);
        }
        return e instanceof KafkaException ? UserException.failed(kafka(settings, e), e) : e;
    }

    private static String store(Settings settings, RuntimeException e) {
        String where = "The store " + said(settings, Settings.STORE_ENDPOINT);
        if (e instanceof StoreRefusedException && e.getCause() instanceof SSLException) {
            return where + ": its certificate is not trusted: " + reason(settings, e) + "; "
                    + Settings.variable(Settings.STORE_CA_FILE) + " may name the PEM file of who signed it";
        } else if (e instanceof StoreRefusedException) {
            return where + " refuses: " + reason(settings, e) + ". Access key: "
                    + settings.source(Settings.STORE_ACCESS_KEY) + "; secret key: "
                    + settings.source(Settings.STORE_SECRET_KEY);
        }
        return where
                + (e instanceof StoreUnavailableException
                        ? " does not answer: " + reason(settings, e)
                        : ": " + reason(settings, e));
    }

    private static String kafka(Settings settings, RuntimeException e) {
        String where = "Kafka at " + said(settings, Settings.KAFKA_SERVERS);
        String protocol = "security.protocol is "
                + settings.find("kafka.security.protocol")
                        .map(said -> said.value() + " (" + said.source() + ")")
                        .orElse("PLAINTEXT (the default)");
        if (e instanceof SslAuthenticationException) {
            return where + " and this side do not agree on TLS: " + explained(settings, e) + "; " + protocol;
        } else if (e instanceof AuthenticationException) {
            return where + " refuses the credentials: " + explained(settings, e) + "; sasl.jaas.config: "
                    + settings.source("kafka.sasl.jaas.config");
        } else if (e instanceof AuthorizationException) {
            return where + " does not allow this: " + explained(settings, e);
        } else if (e instanceof TimeoutException) {
            return where + " does not answer within " + Installation.PATIENCE.toSeconds() + " s; " + protocol;
        } else if (e instanceof ConfigException || e.getCause() != null) {
            return where + " cannot be spoken with, because of a setting: " + explained(settings, root(e));
        }
        return where + ": " + explained(settings, e);
    }

    private static String said(Settings settings, String key) {
        return settings.find(key)
                .map(said -> said.value() + " (" + said.source() + ")")
                .orElse("");
    }

    private static String reason(Settings settings, Throwable e) {
        return settings.withoutSecrets(
                e.getCause() == null || e.getCause().getMessage() == null
                        ? e.getMessage()
                        : e.getCause().getMessage());
    }

    private static String explained(Settings settings, Throwable e) {
        return settings.withoutSecrets(Failures.explain(e));
    }

    private static Throwable root(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}
