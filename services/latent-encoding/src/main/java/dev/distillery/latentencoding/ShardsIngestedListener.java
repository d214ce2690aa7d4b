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
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Takes shards one after another: one keeps all cores busy. The record is acknowledged when the shard is in the store. */
@ApplicationScoped
class ShardsIngestedListener {
    private final EventPublisher publisher;
    private final Encode encode;

    ShardsIngestedListener(EventPublisher publisher, ArtifactStore store, LocalCopies copies) {
        this.publisher = publisher;
        this.encode = new Encode(store, copies, publisher::publishAndWait);
    }

    @Incoming("shards-ingested")
    @Blocking
    void onShard(ConsumerRecord<String, byte[]> record) {
        ShardIngested shard = EventCodec.read(record, ShardIngested.class); // if it is none: to the dead letters
        try {
            encode.run(shard);
        } catch (NotFiniteException e) {
            fail(
                    shard,
                    e,
                    "set teacher.vae, or the teacher, to one whose numbers stay finite; request it by another name");
        } catch (IOException e) {
            fail(shard, e, "see latent-encoding's log and disk, then publish the same request again");
        } catch (RuntimeException e) {
            fail(shard, e, "see latent-encoding's log, then publish the same request again");
            throw e;
        }
    }

    private void fail(ShardIngested shard, Exception e, String advice) {
        String reason = "shard " + shard.shard() + ": " + (e.getMessage() == null ? e.toString() : e.getMessage());
        publisher.publishAndWait(
                Topic.RUN_EVENTS, shard.run(), new RunFailed(shard.run(), EncodeNote.STAGE, reason, advice));
    }

    @PreDestroy
    void close() {
        encode.close();
    }
}
