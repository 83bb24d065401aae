//! Values that are read whatever stands in their place: another type is nothing, and no depth ends the reading.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longer texts are cut: names of Kubernetes and of ACK are shorter.
pub(super) const TEXT: usize = 253;

/// A text, or nothing where something else stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Text(pub Option<String>);

impl Text {
    pub fn is(&self, word: &str) -> bool {
        self.0.as_deref() == Some(word)
    }

    pub fn short(self) -> Option<String> {
        self.0.map(|text| if text.len() > TEXT { text.chars().take(TEXT).collect() } else { text })
    }
}

/// A whole number, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Whole(pub Option<i64>);

/// A map that is read as `T`; `T::default()` where something else stands.
#[derive(Debug, Default)]
pub(super) struct Lenient<T>(pub T);

/// A list; empty where something else stands.
#[derive(Debug)]
pub(super) struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Many(vec![])
    }
}

/// What is made of each kind of JSON value; of most of them nothing. Maps and lists are skipped without recursion.
trait Taste<'de>: Default {
    fn text(_text: &str) -> Self {
        Self::default()
    }
    fn whole(_number: i64) -> Self {
        Self::default()
    }
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl Taste<'_> for Text {
    fn text(text: &str) -> Self {
        Text(Some(text.to_owned()))
    }
}

impl Taste<'_> for Whole {
    fn whole(number: i64) -> Self {
        Whole(Some(number))
    }
}

impl<'de, T: Deserialize<'de> + Default> Taste<'de> for Lenient<T> {
    fn map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Lenient)
    }
}

impl<'de, T: Deserialize<'de>> Taste<'de> for Many<T> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut all = vec![];
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Many(all))
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: Taste<'de>> Visitor<'de> for Any<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }
    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::whole(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(i64::try_from(number).map(T::whole).unwrap_or_default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::map(map)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }
}

macro_rules! anything {
    ($($kind:ty $(where $of:ident)?),*) => { $(
        impl<'de $(, $of: Deserialize<'de> + Default)?> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Any(PhantomData))
            }
        }
    )* };
}
anything!(Text, Whole, Lenient<T> where T, Many<T> where T);
