/**
 * The store that all services share: keys, streaming in constant memory, manifests that make a prefix complete, and leases.
 *
 * <p>A prefix is complete when its {@code manifest.json} is there; it is written last and never changed. What is not
 * complete is not there, as far as readers go.
 */
package dev.distillery.artifacts;
