//! A memory as an agent leaves it: finished episodes of some 1.3 KB, what was learned from them,
//! and embeddings of 384 floats, all through do-memory's own storage.

use std::error::Error;

use do_memory_core::embeddings::EmbeddingStorageBackend;
use do_memory_core::{
    Episode, ExecutionResult, ExecutionStep, Heuristic, OutcomeStats, Pattern,
    PatternEffectiveness, TaskContext, TaskOutcome, TaskType,
};
use do_memory_storage_turso::TursoStorage;
use uuid::Uuid;

const BATCH: usize = 1_000;
const DIMENSION: usize = 384;
/// One pattern and one heuristic are learned from so many episodes.
const EPISODES_PER_LESSON: usize = 10;

/// Of the episodes, one in `every` is embedded: each takes 80 KB of the source, nearly all of them in
/// the index of vectors, and some ten milliseconds.
pub async fn write(
    storage: &TursoStorage,
    count: usize,
    every: usize,
) -> Result<(), Box<dyn Error>> {
    let mut numbers = Numbers(1);
    for from in (0..count).step_by(BATCH) {
        let to = count.min(from + BATCH);
        let episodes: Vec<Episode> = (from..to).map(episode).collect();
        let keys: Vec<_> = episodes.iter().map(|episode| episode.episode_id).collect();
        storage.store_episodes_batch(episodes).await?;
        for key in keys.into_iter().step_by(every) {
            storage
                .store_episode_embedding(key, numbers.vector())
                .await?;
        }
    }
    let lessons = count / EPISODES_PER_LESSON;
    storage
        .store_patterns_batch((0..lessons).map(pattern).collect())
        .await?;
    storage
        .store_heuristics_batch((0..lessons).map(heuristic).collect())
        .await?;
    Ok(())
}

fn episode(number: usize) -> Episode {
    let description = format!("Task {number}: mend what the test of module {number} found");
    let mut episode = Episode::new(description, context(), TaskType::Debugging);
    for step in 1..=3 {
        let mut done = ExecutionStep::new(step, "shell".to_string(), "cargo test".to_string());
        let output =
            format!("test module_{number}::holds ... ok, after attempt {step}; ").repeat(3);
        done.result = Some(ExecutionResult::Success { output });
        episode.add_step(done);
    }
    episode.complete(TaskOutcome::Success {
        verdict: "all tests pass".to_string(),
        artifacts: vec![format!("module_{number}.rs")],
    });
    episode
}

fn pattern(number: usize) -> Pattern {
    Pattern::DecisionPoint {
        id: Uuid::new_v4(),
        condition: format!("a test of module {number} fails twice"),
        action: "read the error before the next attempt".to_string(),
        outcome_stats: OutcomeStats {
            success_count: 8,
            failure_count: 2,
            total_count: 10,
            avg_duration_secs: 45.5,
        },
        context: context(),
        effectiveness: PatternEffectiveness::default(),
    }
}

fn heuristic(number: usize) -> Heuristic {
    let condition = format!("module {number} was changed");
    Heuristic::new(condition, "run its tests first".to_string(), 0.8)
}

fn context() -> TaskContext {
    TaskContext {
        language: Some("rust".to_string()),
        domain: "modules".to_string(),
        tags: vec!["tests".to_string()],
        ..TaskContext::default()
    }
}

/// Reproducible numbers, as a linear congruence gives them.
struct Numbers(u64);

impl Numbers {
    fn vector(&mut self) -> Vec<f32> {
        (0..DIMENSION).map(|_| self.next()).collect()
    }

    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}
