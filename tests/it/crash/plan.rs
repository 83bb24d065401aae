//! What goes wrong in one run, and its name: `plain-create@neighbour/17/withheld` says all that is needed to do it again.

use std::fmt;
use std::str::FromStr;

use ::playground::cutting::Cut;

use super::scenarios::{self, Scenario};

/// A scenario, by what an absence is proven in it, the calls that are cut, and what its operators see of the objects.
#[derive(Clone)]
pub struct Plan {
    pub scenario: &'static Scenario,
    pub trust: Trust,
    pub cuts: Vec<(usize, Cut)>,
    pub sight: Option<Sight>,
}

/// By what a list without the cluster proves that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// The administrator's word: `--lists-are-complete`.
    Flag,
    /// The list shows a cluster that another AckCluster of this operator records.
    Neighbour,
    /// By nothing, so that a person has to look where an answer was lost.
    Nothing,
}

impl Trust {
    const ALL: [Trust; 3] = [Trust::Flag, Trust::Neighbour, Trust::Nothing];

    fn word(self) -> &'static str {
        match self {
            Trust::Flag => "flag",
            Trust::Neighbour => "neighbour",
            Trust::Nothing => "nothing",
        }
    }
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
    pub fn reference(scenario: &'static Scenario, trust: Trust) -> Plan {
        Plan { scenario, trust, cuts: vec![], sight: None }
    }

    /// Scenario and trust, which have a reference together.
    pub fn life(&self) -> String {
        format!("{}@{}", self.scenario.name, self.trust.word())
    }

    /// What a person names: one run, or all of a scenario, with the one trust or with each.
    pub fn named(text: &str) -> Result<Vec<Plan>, String> {
        let plan: Plan = text.parse()?;
        let each = |trust: &Trust| Plan::reference(plan.scenario, *trust);
        Ok(if plan.is_whole() && !text.contains('@') {
            plan.scenario.trusts.iter().map(each).collect()
        } else {
            vec![plan]
        })
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
        write!(f, "{}/{parts}", self.life())
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Plan, String> {
        let (life, parts) = text.split_once('/').unwrap_or((text, "reference"));
        let (name, trust) = life.split_once('@').map_or((life, None), |(name, trust)| (name, Some(trust)));
        let known = || scenarios::ALL.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
        let scenario = scenarios::ALL.iter().find(|scenario| scenario.name == name);
        let scenario = scenario.ok_or_else(|| format!("{name} is no scenario; known are {}", known()))?;
        let known = |word: &str| {
            let trust = Trust::ALL.into_iter().find(|trust| trust.word() == word && scenario.trusts.contains(trust));
            trust.ok_or_else(|| format!("{name} has no runs with the trust {word}"))
        };
        let mut plan = Plan::reference(scenario, trust.map_or(Ok(scenario.trusts[0]), known)?);
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
