/** Measures the training step beside the same step of PyTorch and diffusers in Python. Not part of any service. */
package dev.distillery.benchmarks;
