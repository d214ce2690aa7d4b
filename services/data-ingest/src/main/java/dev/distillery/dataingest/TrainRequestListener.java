package dev.distillery.dataingest;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.dataingest.shard.NothingUsableException;
import dev.distillery.dataingest.source.hub.HubClient;
import dev.distillery.events.EventCodec;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.MalformedEventException;
import dev.distillery.events.RunFailed;
import dev.distillery.events.RunRejected;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Takes train requests, one after another. Every request is answered among the run's events; one that cannot be done is kept
 * among the dead letters as well.
 */
@ApplicationScoped
class TrainRequestListener {
    private final EventPublisher publisher;
    private final Ingest ingest;

    TrainRequestListener(
            EventPublisher publisher,
            ArtifactStore store,
            @ConfigProperty(name = "distillery.store.endpoint") String endpoint,
            @ConfigProperty(name = "distillery.store.region", defaultValue = "us-east-1") String region,
            @ConfigProperty(name = "distillery.store.access-key") String accessKey,
            @ConfigProperty(name = "distillery.store.secret-key") String secretKey,
            @ConfigProperty(name = "hf.endpoint", defaultValue = HubClient.Settings.ENDPOINT) String hubEndpoint,
            @ConfigProperty(name = "hf.token") Optional<String> hubToken,
            @ConfigProperty(name = "distillery.trainer.device-memory") Optional<MemorySize> deviceMemory) {
        this.publisher = publisher;
        var sources = Sources.of(
                bucket -> new ArtifactStore(new StoreConfig(endpoint, region, bucket, accessKey, secretKey)),
                new HubClient(HubClient.Settings.of(hubEndpoint, hubToken)));
        this.ingest = new Ingest(
                store,
                sources,
                deviceMemory.map(size -> new DeviceMemory(true, size.asLongValue())),
                publisher::publishAndWait);
    }

    @Incoming("train-requests")
    @Blocking
    void onRequest(ConsumerRecord<String, byte[]> record) {
        String run = RunNames.of(record);
        try {
            TrainRequest request = EventCodec.read(record, TrainRequest.class);
            ingest(request);
        } catch (InvalidRequestException e) {
            reject(run, e.violations());
            throw e; // to the dead letters
        } catch (MalformedEventException e) {
            reject(run, List.of(new Violation("", "", e.getMessage())));
            throw e;
        }
    }

    /** A run that fails has its answer, so its record is done with; what nobody foresaw goes to the dead letters too. */
    private void ingest(TrainRequest request) {
        try {
            ingest.run(request);
        } catch (NothingUsableException e) {
            fail(
                    request,
                    e,
                    "look at the skipped pairs' reasons, check dataset.image and dataset.caption, and request a run of another name");
        } catch (IOException e) {
            fail(request, e, "see that the source can be read, then publish the same request again");
        } catch (InvalidRequestException e) {
            throw e;
        } catch (RuntimeException e) {
            fail(request, e, "see data-ingest's log, then publish the same request again");
            throw e;
        }
    }

    private void reject(String run, List<Violation> violations) {
        publisher.publishAndWait(Topic.RUN_EVENTS, run, new RunRejected(run, violations));
    }

    private void fail(TrainRequest request, Exception e, String advice) {
        String reason = e.getMessage() == null ? e.toString() : e.getMessage();
        publisher.publishAndWait(
                Topic.RUN_EVENTS, request.run(), new RunFailed(request.run(), IngestNote.STAGE, reason, advice));
    }
}
