package dev.distillery.trainer.run;

/** How fast a run steps now: a moving average, so that one slow step does not turn the time left upside down. */
final class Pace {

    private static final double NEWEST_WEIGHT = 0.05;

    private double secondsPerStep;

    void step(double seconds) {
        secondsPerStep = secondsPerStep == 0 ? seconds : secondsPerStep + NEWEST_WEIGHT * (seconds - secondsPerStep);
    }

    double secondsFor(long steps) {
        return steps * secondsPerStep;
    }
}
