package dev.distillery.dataingest;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.dataingest.shard.NothingUsableException;
import dev.distillery.dataingest.source.AllowedFolders;
import dev.distillery.dataingest.source.FolderSettings;
import dev.distillery.dataingest.source.web.WebClient;
import dev.distillery.dataingest.source.web.WebSettings;
import dev.distillery.events.EventCodec;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.MalformedEventException;
import dev.distillery.events.RunFailed;
import dev.distillery.events.RunRejected;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.hub.HubClient;
import dev.distillery.monitoring.LogContext;
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
            StoreConfig storeConfig,
            @ConfigProperty(name = "hf.endpoint", defaultValue = HubClient.Settings.ENDPOINT) String hubEndpoint,
            @ConfigProperty(name = "hf.token") Optional<String> hubToken,
            WebSettings web,
            FolderSettings folders,
            @ConfigProperty(name = "distillery.trainer.device-memory") Optional<MemorySize> deviceMemory,
            IngestMeters meters) {
        this.publisher = publisher;
        var sources = Sources.of(
                bucket -> new ArtifactStore(storeConfig.ofBucket(bucket)),
                new HubClient(HubClient.Settings.of(hubEndpoint, hubToken)),
                new WebClient(web),
                AllowedFolders.of(folders.folders().orElse(List.of())));
        this.ingest = new Ingest(
                store,
                sources,
                deviceMemory.map(size -> new DeviceMemory(true, size.asLongValue())),
                meters,
                publisher::publishAndWait);
    }

    @Incoming("train-requests")
    @Blocking
    void onRequest(ConsumerRecord<String, byte[]> record) {
        String run = RunNames.of(record);
        try (LogContext context = LogContext.of(run, IngestNote.STAGE)) {
            ingest(EventCodec.read(record, TrainRequest.class));
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
        } catch (VirtualMachineError e) {
            fail(request, e, "give data-ingest more memory (-Xmx, -Xss), then publish the same request again");
            throw e;
        } catch (RuntimeException e) {
            fail(request, e, "see data-ingest's log, then publish the same request again");
            throw e;
        }
    }

    private void reject(String run, List<Violation> violations) {
        publisher.publishAndWait(Topic.RUN_EVENTS, run, new RunRejected(run, violations));
    }

    private void fail(TrainRequest request, Throwable e, String advice) {
        publisher.publishAndWait(
                Topic.RUN_EVENTS, request.run(), RunFailed.because(e, request.run(), IngestNote.STAGE, advice));
    }
}
