//! What goes wrong in one run, and its name: `plain-create/17/withheld` says all that is needed to do it again.

use std::fmt;
use std::str::FromStr;

use ::playground::cutting::Cut;

use super::scenarios::{self, Scenario};

/// A scenario, the calls that are cut in it, and what its operators see of the objects.
#[derive(Clone)]
pub struct Plan {
    pub scenario: &'static Scenario,
    pub cuts: Vec<(usize, Cut)>,
    pub sight: Option<Sight>,
}

/// How an operator's view of the objects departs from the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The watch event of that number and those shortly after it are not told, save the last.
    Skip { event: usize },
    /// A process that is started again sees, for some seconds, the objects as they were at that call.
    Past { seen: usize },
    /// A second operator sees, from that call on and for some seconds, the objects as they were then.
    Two { from: usize },
}

impl Plan {
    pub fn reference(scenario: &'static Scenario) -> Plan {
        Plan { scenario, cuts: vec![], sight: None }
    }

    /// Whether nothing goes wrong in it; on a command line it stands for the whole scenario.
    pub fn is_whole(&self) -> bool {
        self.cuts.is_empty() && self.sight.is_none()
    }

    /// A namespace of its own.
    pub fn namespace(&self) -> String {
        let name = format!("crash-{self}");
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cuts = self.cuts.iter().map(|(number, cut)| format!("{number}/{cut}"));
        let sight = self.sight.iter().map(|sight| match sight {
            Sight::Skip { event } => format!("{event}/skip"),
            Sight::Past { seen } => format!("{seen}/past"),
            Sight::Two { from } => format!("{from}/two"),
        });
        let parts: Vec<_> = cuts.chain(sight).collect();
        let parts = if parts.is_empty() { "reference".to_owned() } else { parts.join("+") };
        write!(f, "{}/{parts}", self.scenario.name)
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Plan, String> {
        let (name, parts) = text.split_once('/').unwrap_or((text, "reference"));
        let known = || scenarios::ALL.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
        let scenario = scenarios::ALL.iter().find(|scenario| scenario.name == name);
        let mut plan =
            Plan::reference(scenario.ok_or_else(|| format!("{name} is no scenario; known are {}", known()))?);
        for part in parts.split('+').filter(|part| *part != "reference") {
            let (number, word) = part.split_once('/').ok_or_else(|| format!("{part} has not the form NUMBER/WORD"))?;
            let number = number.parse().map_err(|_| format!("{number} is no number"))?;
            match word {
                "skip" => plan.sight = Some(Sight::Skip { event: number }),
                "past" => plan.sight = Some(Sight::Past { seen: number }),
                "two" => plan.sight = Some(Sight::Two { from: number }),
                cut => plan.cuts.push((number, cut.parse()?)),
            }
        }
        Ok(plan)
    }
}
