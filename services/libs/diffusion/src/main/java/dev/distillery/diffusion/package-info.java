/**
 * Stable Diffusion's models and their distillation on DJL's PyTorch engine, without Kafka and without a store.
 *
 * <p>Letters in shape comments, everywhere below this package:
 *
 * <ul>
 *   <li>B batch, C channels, H and W height and width of a feature map or image
 *   <li>L tokens of a prompt (77), N tokens of a feature map (H*W), D width of a token
 *   <li>T width of the time embedding, V views of an image, K distinct captions
 * </ul>
 */
package dev.distillery.diffusion;
