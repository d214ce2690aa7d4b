import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** The health check of a container that has no shell and no curl: exit code 0 when the address answers 200. */
public final class Probe {

    private Probe() {}

    public static void main(String[] args) {
        Duration patience = Duration.ofSeconds(5);
        try {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(args[0])).timeout(patience).build();
            int status = HttpClient.newBuilder()
                    .connectTimeout(patience)
                    .build()
                    .send(request, HttpResponse.BodyHandlers.discarding())
                    .statusCode();
            System.exit(status == 200 ? 0 : 1);
        } catch (Exception e) {
            System.exit(1);
        }
    }
}
