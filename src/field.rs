//! Descriptions of the settings that a registry entry takes. The page draws its forms from these,
//! and [`Values::check`] holds every value that comes from outside against them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// One setting of a registry entry: its name, its sentence, its range and default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Key in JSON and scripts.
    pub name: String,
    /// One sentence.
    pub doc: String,
    /// What values it takes.
    pub kind: FieldKind,
}

/// The values a [`Field`] takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum FieldKind {
    /// A real number in a closed range.
    Number {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Value when none is given.
        default: f64,
    },
    /// A whole number in a closed range (at most 2^53).
    Integer {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Value when none is given.
        default: f64,
    },
    /// On or off.
    Bool {
        /// Value when none is given.
        default: bool,
    },
    /// One of some names.
    Choice {
        /// The names.
        options: Vec<String>,
        /// Value when none is given.
        default: String,
    },
}

impl Field {
    /// A real number.
    pub fn number(name: &str, doc: &str, min: f64, max: f64, default: f64) -> Self {
        Self {
            name: name.into(),
            doc: doc.into(),
            kind: FieldKind::Number { min, max, default },
        }
    }

    /// A whole number.
    pub fn integer(name: &str, doc: &str, min: f64, max: f64, default: f64) -> Self {
        Self {
            name: name.into(),
            doc: doc.into(),
            kind: FieldKind::Integer { min, max, default },
        }
    }

    /// On or off.
    pub fn bool(name: &str, doc: &str, default: bool) -> Self {
        Self {
            name: name.into(),
            doc: doc.into(),
            kind: FieldKind::Bool { default },
        }
    }

    /// One of some names.
    pub fn choice(name: &str, doc: &str, options: &[&str], default: &str) -> Self {
        let options = options.iter().map(|&option| option.into()).collect();
        let kind = FieldKind::Choice {
            options,
            default: default.into(),
        };
        Self {
            name: name.into(),
            doc: doc.into(),
            kind,
        }
    }
}

/// Checked values for a list of [`Field`]s: every field is present and in range.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    place: String,
    values: Map<String, Value>,
}

impl Values {
    /// Checks what came from outside (`given`) against `fields` and fills in defaults.
    ///
    /// # Errors
    /// Names the first unknown key, or the first value of a wrong type or out of range.
    pub fn check(place: &str, fields: &[Field], given: &Map<String, Value>) -> Result<Self> {
        if let Some(name) = given
            .keys()
            .find(|&key| fields.iter().all(|field| field.name != *key))
        {
            let known = fields.iter().map(|field| field.name.as_str());
            return Err(Error::unknown("field", format!("{place}.{name}"), known));
        }
        let mut values = Map::new();
        for field in fields {
            let value = check_one(place, field, given.get(&field.name))?;
            values.insert(field.name.clone(), value);
        }
        Ok(Self {
            place: place.into(),
            values,
        })
    }

    /// The real number `name`.
    ///
    /// # Errors
    /// When there is no such number among the fields.
    pub fn number(&self, name: &str) -> Result<f64> {
        self.get(name, "a number", Value::as_f64)
    }

    /// The whole number `name`.
    ///
    /// # Errors
    /// When there is no such whole number among the fields.
    pub fn integer(&self, name: &str) -> Result<usize> {
        // Checked against the field's range, so the value is whole; negative ranges do not occur.
        self.get(name, "a whole number", |value| {
            value.as_f64().map(|number| number as usize)
        })
    }

    /// The switch `name`.
    ///
    /// # Errors
    /// When there is no such switch among the fields.
    pub fn bool(&self, name: &str) -> Result<bool> {
        self.get(name, "true or false", Value::as_bool)
    }

    /// The choice `name`.
    ///
    /// # Errors
    /// When there is no such choice among the fields.
    pub fn choice(&self, name: &str) -> Result<String> {
        self.get(name, "a name", |value| value.as_str().map(str::to_owned))
    }

    /// The value of field `name` as JSON.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn json(&self, name: &str) -> Result<Value> {
        self.get(name, "a value", |value| Some(value.clone()))
    }

    fn get<T>(&self, name: &str, kind: &str, read: impl Fn(&Value) -> Option<T>) -> Result<T> {
        self.values
            .get(name)
            .and_then(read)
            .ok_or_else(|| Error::mismatch(format!("{}.{name}", self.place), kind, "no such field"))
    }
}

fn check_one(place: &str, field: &Field, given: Option<&Value>) -> Result<Value> {
    let wrong = |expected: String, found: &Value| {
        Error::mismatch(
            format!("{place}.{}", field.name),
            expected,
            found.to_string(),
        )
    };
    match (&field.kind, given) {
        (FieldKind::Number { default, .. } | FieldKind::Integer { default, .. }, None) => {
            Ok(Value::from(*default))
        }
        (FieldKind::Bool { default }, None) => Ok(Value::from(*default)),
        (FieldKind::Choice { default, .. }, None) => Ok(Value::from(default.as_str())),
        (FieldKind::Number { min, max, .. }, Some(value)) => match value.as_f64() {
            Some(number) if (*min..=*max).contains(&number) => Ok(Value::from(number)),
            _ => Err(wrong(format!("a number from {min} to {max}"), value)),
        },
        (FieldKind::Integer { min, max, .. }, Some(value)) => match value.as_f64() {
            Some(number) if (*min..=*max).contains(&number) && number.fract() == 0.0 => {
                Ok(Value::from(number))
            }
            _ => Err(wrong(format!("a whole number from {min} to {max}"), value)),
        },
        (FieldKind::Bool { .. }, Some(value)) if value.is_boolean() => Ok(value.clone()),
        (FieldKind::Bool { .. }, Some(value)) => Err(wrong("true or false".into(), value)),
        (FieldKind::Choice { options, .. }, Some(value)) => match value.as_str() {
            Some(name) if options.iter().any(|option| option == name) => Ok(value.clone()),
            _ => Err(wrong(format!("one of {}", options.join(", ")), value)),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Field, Values};

    #[test]
    fn values_are_checked_against_their_fields() {
        let fields = [
            Field::number("rate", "Step size.", 0.0, 1.0, 0.1),
            Field::integer("steps", "How many.", 1.0, 9.0, 2.0),
            Field::bool("fast", "Whether.", false),
            Field::choice("mode", "Which.", &["a", "b"], "a"),
        ];
        let check = |value: serde_json::Value| {
            Values::check("test", &fields, value.as_object().unwrap()).map_err(|e| e.to_string())
        };
        let values = check(json!({ "steps": 3 })).unwrap();
        assert_eq!(values.number("rate"), Ok(0.1));
        assert_eq!(values.integer("steps"), Ok(3));
        assert_eq!(values.choice("mode").unwrap(), "a");
        for (bad, sentence) in [
            (
                json!({ "rate": 2 }),
                "test.rate: expected a number from 0 to 1, found 2",
            ),
            (
                json!({ "rate": "x" }),
                "test.rate: expected a number from 0 to 1, found \"x\"",
            ),
            (
                json!({ "steps": 1.5 }),
                "test.steps: expected a whole number from 1 to 9, found 1.5",
            ),
            (
                json!({ "fast": 1 }),
                "test.fast: expected true or false, found 1",
            ),
            (
                json!({ "mode": "c" }),
                "test.mode: expected one of a, b, found \"c\"",
            ),
            (
                json!({ "pace": 1 }),
                "unknown field \"test.pace\"; known: rate, steps, fast, mode",
            ),
        ] {
            assert_eq!(check(bad).unwrap_err(), sentence);
        }
    }
}
