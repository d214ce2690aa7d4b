package dev.distillery.events;

/** How training goes: {@code step} of {@code steps}, {@code epoch} from 1; memory is that of the trainer's process. */
public record TrainingProgress(
        String run,
        long step,
        long steps,
        int epoch,
        int epochs,
        Losses losses,
        double stepsPerSecond,
        double secondsLeft,
        long residentBytes)
        implements RunEvent {
    public record Losses(double task, double output, double feature, double total) {}
}
