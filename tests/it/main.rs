mod generated;

fn main() {
    let mut tests = vec![];
    tests.extend(generated::tests());
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), tests).exit();
}
