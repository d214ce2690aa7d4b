/** From converted students to their scores: the listeners, and the plain classes that they call. */
package dev.distillery.evaluator;
