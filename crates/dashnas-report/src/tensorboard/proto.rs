//! The parts of TensorBoard's `event.proto` and `summary.proto` that scalars need.

/// `tensorflow.Event`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorboardEvent {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The step that the values belong to.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// What the event says.
    #[prost(oneof = "tensorboard_event::What", tags = "3, 5")]
    pub what: Option<tensorboard_event::What>,
}

/// What an event says.
pub mod tensorboard_event {
    /// The choice among the kinds of events.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum What {
        /// The first event of a file.
        #[prost(string, tag = "3")]
        FileVersion(String),
        /// Values.
        #[prost(message, tag = "5")]
        Summary(crate::tensorboard::proto::Summary),
    }
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Summary {
    /// Named values.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// `tensorflow.Summary.Value`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    /// Its name.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// The value.
    #[prost(oneof = "value::Value", tags = "2")]
    pub value: Option<value::Value>,
}

/// A value.
pub mod value {
    /// The choice among the kinds of values.
    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub enum Value {
        /// A number.
        #[prost(float, tag = "2")]
        SimpleValue(f32),
    }
}
