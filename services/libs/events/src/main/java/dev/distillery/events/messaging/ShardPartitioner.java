package dev.distillery.events.messaging;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.utils.Utils;

/**
 * Spreads the shards of a run, keyed {@code run/shard}, evenly over the partitions and over any ranges of them, so that
 * consumers get equal shares; other keys go where Kafka's own partitioner sends them.
 */
public final class ShardPartitioner implements Partitioner {
    private static final Pattern SHARD = Pattern.compile("(.+)/(\\d{1,9})");
    /** Multiples of the golden ratio fill an interval more evenly than any others, wherever one stops. */
    private static final double GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

    @Override
    public int partition(String topic, Object key, byte[] keyBytes, Object value, byte[] valueBytes, Cluster cluster) {
        return partition(new String(keyBytes, StandardCharsets.UTF_8), cluster.partitionCountForTopic(topic));
    }

    static int partition(String key, int partitions) {
        Matcher shard = SHARD.matcher(key);
        if (!shard.matches()) {
            return hash(key) % partitions;
        }
        double place = hash(shard.group(1)) * 0x1.0p-31 + Integer.parseInt(shard.group(2)) * GOLDEN_RATIO;
        return (int) ((place - Math.floor(place)) * partitions);
    }

    /** As {@code BuiltInPartitioner} hashes keys. */
    private static int hash(String key) {
        return Utils.toPositive(Utils.murmur2(key.getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public void configure(Map<String, ?> configs) {
        // it has no settings
    }

    @Override
    public void close() {
        // it holds nothing
    }
}
