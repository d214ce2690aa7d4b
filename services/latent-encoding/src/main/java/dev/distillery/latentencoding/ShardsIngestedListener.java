package dev.distillery.latentencoding;

import java.io.IOException;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.events.EventCodec;
import dev.distillery.events.RunFailed;
import dev.distillery.events.ShardIngested;
import dev.distillery.events.Topic;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.monitoring.LogContext;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Takes shards one after another: one keeps all cores busy. The record is acknowledged when the shard is in the store. */
@ApplicationScoped
class ShardsIngestedListener {
    private final EventPublisher publisher;
    private final Encode encode;

    ShardsIngestedListener(EventPublisher publisher, ArtifactStore store, LocalCopies copies, EncodeMeters meters) {
        this.publisher = publisher;
        this.encode = new Encode(store, copies, publisher::publishAndWait, meters);
    }

    @Incoming("shards-ingested")
    @Blocking
    void onShard(ConsumerRecord<String, byte[]> record) {
        ShardIngested shard = EventCodec.read(record, ShardIngested.class); // if it is none: to the dead letters
        try (LogContext context = LogContext.of(shard.run(), EncodeNote.STAGE, shard.shard())) {
            encode.run(shard);
        } catch (ShardsFailedException e) {
            fail(
                    shard,
                    e,
                    "mend what is said, then publish the same request again; or request it by another name with another"
                            + " teacher.vae, or with more in dataset.maxFailed");
        } catch (IOException e) {
            fail(shard, e, "see latent-encoding's log and disk, then publish the same request again");
        } catch (RuntimeException e) {
            fail(shard, e, "see latent-encoding's log, then publish the same request again");
            throw e;
        }
    }

    private void fail(ShardIngested shard, Exception e, String advice) {
        publisher.publishAndWait(
                Topic.RUN_EVENTS, shard.run(), RunFailed.because(e, shard.run(), EncodeNote.STAGE, advice));
    }

    @PreDestroy
    void close() {
        encode.close();
    }
}
