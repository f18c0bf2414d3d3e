//! The configuration file: one documented struct per concern, checked before anything starts.
