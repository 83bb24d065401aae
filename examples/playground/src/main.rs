//! Scratch.
#[tokio::main]
async fn main() {
    playground::keeper::hook();
    let t = std::time::Instant::now();
    let mut cp = match playground::ControlPlane::start().await { Ok(c) => c, Err(e) => { eprintln!("{}", e.sentence()); return; } };
    println!("{:?} {} {:?}", t.elapsed(), cp.url(), cp.pids());
    let k = cp.install(&playground::chart());
    println!("{:?} {:?}", t.elapsed(), k.map_err(|e| e.sentence()));
    println!("{:?}", cp.start_controllers().await.map_err(|e| e.sentence()));
    println!("{:?} {:?}", t.elapsed(), cp.pids());
    println!("{}", cp.kubeconfig().display());
    tokio::signal::ctrl_c().await.unwrap();
}
