/**
 * The page that shows how a run went: {@code runs/<run>/report.html}, self-contained, drawn from what the store holds.
 *
 * <p>{@link dev.distillery.converter.report.RunReader} reads the store, the small drawing classes turn numbers into SVG,
 * and {@link dev.distillery.converter.report.ReportPage} fills the template. Colours are CSS variables of the template,
 * so that the drawings follow the reader's light or dark setting.
 */
package dev.distillery.converter.report;
