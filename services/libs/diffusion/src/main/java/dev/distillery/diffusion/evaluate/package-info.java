/**
 * How good pictures and networks are, in numbers: each score equals that of the tool which defined it, and what it is made of
 * can be computed in parts and added up.
 *
 * <p>N = images, D = width of a feature.
 */
package dev.distillery.diffusion.evaluate;
