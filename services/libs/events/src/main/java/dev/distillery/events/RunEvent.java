package dev.distillery.events;

/** An event of a run's life, published on {@link Topic#RUN_EVENTS} in the order in which things happened. */
public sealed interface RunEvent extends Event
        permits CheckpointSaved,
                DatasetEncoded,
                DatasetIngested,
                EvaluationFailed,
                ModelConverted,
                ModelEvaluated,
                RunAccepted,
                RunCancelled,
                RunCompleted,
                RunExtended,
                RunFailed,
                RunPaused,
                RunRejected,
                RunResumed,
                SamplesRendered,
                StageProgress,
                TrainingCompleted,
                TrainingProgress {}
