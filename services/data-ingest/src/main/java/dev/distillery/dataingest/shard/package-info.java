/** WebDataset shards: usable pairs packed as tar files of bounded size. */
package dev.distillery.dataingest.shard;
