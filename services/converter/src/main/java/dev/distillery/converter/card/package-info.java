/**
 * The model card: {@code README.md} of a converted model, with the header that the Hub reads, the pictures beside it and the
 * teacher's terms. {@link dev.distillery.converter.card.ModelCard} writes it from what the store holds of the run.
 */
package dev.distillery.converter.card;
