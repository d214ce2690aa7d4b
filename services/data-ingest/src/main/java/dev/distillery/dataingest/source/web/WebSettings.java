package dev.distillery.dataingest.source.web;

import java.time.Duration;
import java.util.Map;
import java.util.Set;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.WithDefault;

/** How data-ingest behaves towards the web, and what it takes from there. */
@ConfigMapping(prefix = "distillery.sources")
public interface WebSettings {
    /** Pictures that are downloaded at once. */
    @WithDefault("32")
    int concurrency();

    /** Of these from one host. */
    @WithDefault("4")
    int connectionsPerHost();

    /** How long a host may take to accept a connection. */
    @WithDefault("10s")
    Duration connectTimeout();

    /** How long no byte may come. */
    @WithDefault("20s")
    Duration readTimeout();

    /** What one request for a picture may take in all. */
    @WithDefault("60s")
    Duration timeout();

    /** How often an address is asked when the answer may pass: 429, 5xx, a time limit, a broken connection. */
    @WithDefault("3")
    int tries();

    /** Before the second try; doubled for each further one. */
    @WithDefault("1s")
    Duration pause();

    /** The longest {@code Retry-After} that is waited for; who asks for more is given up. */
    @WithDefault("30s")
    Duration longestPause();

    /** What is larger is no picture to train on. */
    @WithDefault("32M")
    MemorySize maxImageSize();

    /** The largest file of a data set, which is copied to this machine's disk while it is read. */
    @WithDefault("64G")
    MemorySize maxFileSize();

    /** Memory of the pictures that were downloaded ahead of their turn. */
    @WithDefault("128M")
    MemorySize readAheadSize();

    /**
     * Whether addresses that are not of the public internet may be asked (this machine, its network, a cloud's metadata), and
     * ports other than 80 and 443. A list of addresses is a stranger's wish to send requests from inside of the network: only
     * where every list is trusted.
     */
    @WithDefault("false")
    boolean privateAddresses();

    /** Whether a data set's own file may come without encryption; pictures may. */
    @WithDefault("false")
    boolean plainHttp();

    /** How data-ingest names itself; some sites want an address of whoever runs it in it. */
    @WithDefault("Distillery data-ingest")
    String userAgent();

    /** {@code X-Robots-Tag} by which a site keeps a picture out of training, as img2dataset honours them. */
    @WithDefault("noai,noimageai,noindex,noimageindex")
    Set<String> optOuts();

    /** Where Quarkus does not give them. */
    static WebSettings ofEnvironment() {
        return of(Map.of());
    }

    /** Of the environment, but for these. */
    static WebSettings of(Map<String, String> overrides) {
        return new SmallRyeConfigBuilder()
                .addDefaultInterceptors()
                .addDefaultSources()
                .addDiscoveredConverters()
                .withSources(new PropertiesConfigSource(overrides, "overrides", 500))
                .withMapping(WebSettings.class)
                .withValidateUnknown(false)
                .build()
                .getConfigMapping(WebSettings.class);
    }
}
