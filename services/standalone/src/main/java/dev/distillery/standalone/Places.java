package dev.distillery.standalone;

import dev.distillery.dataingest.Sources;
import dev.distillery.dataingest.source.AllowedFolders;
import dev.distillery.dataingest.source.web.WebClient;
import dev.distillery.dataingest.source.web.WebSettings;
import dev.distillery.hub.HubClient;

/** Where commands read from, with the settings that the services have in their environment. */
final class Places {
    private Places() {}

    static Sources sources() {
        var hub = new HubClient(HubClient.Settings.of(System.getenv()));
        var web = new WebClient(WebSettings.ofEnvironment());
        return StoreSettings.buckets(System.getenv())
                .map(buckets -> Sources.of(buckets, hub, web, AllowedFolders.all()))
                .orElseGet(() -> Sources.withoutStore(hub, web));
    }
}
