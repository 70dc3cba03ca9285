//! The three commands of convscope.
fn main() {}
