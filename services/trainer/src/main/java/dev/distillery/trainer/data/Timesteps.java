package dev.distillery.trainer.data;

/**
 * How timesteps are drawn: those from {@code begin} to {@code end}, as portions of all, {@code multiplier} times as often as
 * the others.
 *
 * @param count of the noise schedule, usually 1000
 * @see <a href="https://github.com/okotaku/diffengine/blob/main/diffengine/models/utils/timesteps.py">diffengine's
 *     EarlierTimeSteps, LaterTimeSteps and RangeTimeSteps</a>
 */
public record Timesteps(int count, double begin, double end, double multiplier) {

    /** The timestep of a number in {@code [0, 1)}: the inverse of the distribution function. */
    int at(double unit) {
        int from = (int) (begin * count);
        int to = (int) (end * count);
        double favoured = (to - from) * multiplier;
        double place = unit * (from + favoured + count - to);
        double timestep = place < from
                ? place
                : place < from + favoured ? from + (place - from) / multiplier : place - favoured + to - from;
        return Math.min((int) timestep, count - 1);
    }
}
