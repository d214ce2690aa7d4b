/**
 * The seam to DJL's PyTorch engine. Native handles, engine switches and the operators that DJL lacks live here and
 * nowhere else: {@link dev.distillery.diffusion.tensor.Ops} calls the one TorchScript text {@code ops.py}.
 *
 * <p>Memory: a result is attached to the {@code NDManager} of the operator's first argument, so whoever opens a
 * scope and attaches the inputs to it owns everything computed from them.
 */
package dev.distillery.diffusion.tensor;
