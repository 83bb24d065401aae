//! The model and the views over the judgement as it stands in this copy. `prove ROW` walks the model.

mod model;
mod views;

/// Argo CD's script over the ends that the views come to is looked at where the whole is tested.
mod argocd {
    pub mod health {
        pub fn every_end_has_the_health_that_its_reason_means<T>(_ends: impl Iterator<Item = T>) {}
    }
}

fn main() -> std::process::ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some("prove") {
        return model::prove(words.next());
    }
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), views::tests()).exit_code()
}
