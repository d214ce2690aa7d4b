/** From image-text shards to latents and text embeddings: the listener, and the plain classes it calls. */
package dev.distillery.latentencoding;
