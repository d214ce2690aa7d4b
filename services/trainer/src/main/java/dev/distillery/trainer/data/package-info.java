/**
 * What a training step sees: latents and text embeddings from the store's shards, and the random numbers of the step.
 *
 * <p>Letters in shapes: N pairs of a shard, V views of an image, K distinct captions, B batch, C latent channels, h and w
 * height and width of a latent, D width of the prompt embedding, P width of the pooled embedding.
 */
package dev.distillery.trainer.data;
