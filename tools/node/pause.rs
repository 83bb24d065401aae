//! The process that holds a pod's namespaces open. It does nothing.

fn main() {
    loop {
        std::thread::park();
    }
}
