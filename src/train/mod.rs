//! The numeric core of training: one optimiser step, exactly as the fixtures define it.
