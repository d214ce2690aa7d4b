/** Images with captions as they lie in the store: shards in the layout of WebDataset. */
package dev.distillery.artifacts.shard;
