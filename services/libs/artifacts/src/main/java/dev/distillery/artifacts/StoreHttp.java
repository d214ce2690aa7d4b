package dev.distillery.artifacts;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;

import io.minio.http.HttpUtils;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Response;

/** The HTTP client of a store: MinIO's own, which tells of every request and trusts an authority of its own. */
final class StoreHttp {
    private static final long CONNECT_MILLIS = 10_000;
    private static final long SILENCE_MILLIS = Duration.ofMinutes(5).toMillis(); // a large upload is put together then

    private StoreHttp() {}

    /** @throws StoreRefusedException when the file of certificates cannot be used */
    static OkHttpClient client(StoreConfig config, StoreCalls calls) {
        long silence = Math.min(
                SILENCE_MILLIS, Math.max(CONNECT_MILLIS, config.patience().toMillis()));
        OkHttpClient client = HttpUtils.newDefaultHttpClient(CONNECT_MILLIS, silence, silence);
        if (config.caFile().isPresent()) {
            client = trusting(client, config.caFile().get());
        }
        return client.newBuilder().addInterceptor(chain -> tell(chain, calls)).build();
    }

    private static OkHttpClient trusting(OkHttpClient client, Path caFile) {
        try {
            return HttpUtils.enableExternalCertificates(client, caFile.toString());
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new StoreRefusedException(
                    "'distillery.store.ca-file' must be a PEM file of certificates but '" + caFile
                            + "' cannot be used: " + e.getMessage(),
                    e);
        }
    }

    private static Response tell(Interceptor.Chain chain, StoreCalls calls) throws IOException {
        String method = chain.request().method();
        long started = System.nanoTime();
        int status = StoreCalls.NO_ANSWER;
        try {
            Response response = chain.proceed(chain.request());
            status = response.code();
            return response;
        } finally {
            calls.answered(method, status, Duration.ofNanos(System.nanoTime() - started));
        }
    }
}
