package dev.distillery.events;

/**
 * The scores of a run's student, more of which are below the key {@code report}. Null: not asked for.
 *
 * @param name of the evaluation
 * @param outputError mean square error of the predictions against the teacher's
 * @param featureError of the blocks' outputs
 * @param latentDistance Fréchet distance of the student's pictures from the teacher's in the auto-encoder's latents
 */
public record ModelEvaluated(
        String run,
        String name,
        String report,
        int images,
        Double outputError,
        Double featureError,
        Double latentDistance,
        Double clip,
        Double fid,
        Double is)
        implements RunEvent {}
