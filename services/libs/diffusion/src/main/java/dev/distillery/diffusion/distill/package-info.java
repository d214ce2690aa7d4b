/**
 * Block-removal knowledge distillation (BK-SDM, arXiv 2305.15798, section 3): which blocks a student keeps, its weights
 * from the teacher's, the losses, the optimizer and one training step.
 */
package dev.distillery.diffusion.distill;
