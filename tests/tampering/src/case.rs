//! The cases: every operation on every stream of every kind of session, at a unit that the case's seed chooses.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::{
    framing::{Framing, Kind},
    operation::{Operation, Tampering},
    stream::{Channel, Direction, Stream},
    tape::Event,
};

/// The protection of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protection {
    /// TLS 1.3.
    Tls13,
    /// TLS 1.2.
    Tls12,
    /// X-SafeTP1 with PROT P.
    Private,
    /// X-SafeTP1 with PROT S.
    Safe,
    /// TLS with PROT C: not among the cases, but shows that the judge would see it.
    Clear,
}

/// The way of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// To the server.
    Put,
    /// To the client.
    Get,
}

/// One session of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// The protection of the session.
    pub protection: Protection,
    /// The way of the file.
    pub task: Task,
    /// Whether another file goes the same way before it, in the same session.
    pub is_second: bool,
}

/// One case. All of it follows from the seed, which is its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its number.
    pub seed: u64,
    /// The session.
    pub scenario: Scenario,
    /// The stream that is tampered with.
    pub stream: Stream,
    /// The operation.
    pub operation: Operation,
}

/// All that goes over the wires in a scenario without interference.
#[derive(Clone, Debug)]
pub struct Profile {
    events: Vec<Event>,
}

const PROTECTIONS: [Protection; 4] = [Protection::Tls13, Protection::Tls12, Protection::Private, Protection::Safe];
const TASKS: [Task; 2] = [Task::Put, Task::Get];
const DIRECTIONS: [Direction; 2] = [Direction::ToServer, Direction::ToClient];
/// The operations on every stream, with the number of seeds of each.
const OPERATIONS: [(Operation, usize); 12] = [
    (Operation::FlipHeader, 2),
    (Operation::FlipBody, 3),
    (Operation::Drop, 2),
    (Operation::Duplicate, 2),
    (Operation::Swap, 2),
    (Operation::Truncate, 2),
    (Operation::TruncateAndReset, 1),
    (Operation::InsertNoise, 1),
    (Operation::InsertUnit, 2),
    (Operation::Cut, 2),
    (Operation::Stall, 1),
    (Operation::Replay, 2),
];
/// Lines that are injected in the clear into a control channel of X-SafeTP1.
const COMMANDS: [&str; 4] = ["NOOP", "DELE second", "ENC AAAA", "ABOR"];
const REPLIES: [&str; 4] = ["226 Done.", "632 AAAA", "200 Well.", "421 Gone."];

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for protection in PROTECTIONS {
        for task in TASKS {
            for (stream, operation) in interventions(protection, task) {
                let is_second = operation == Operation::Replay;
                let scenario = Scenario { protection, task, is_second };
                cases.push(Case { seed: cases.len() as u64, scenario, stream, operation });
            }
        }
    }
    cases
}

impl Protection {
    /// The framing of data connections.
    pub fn data_framing(self) -> Framing {
        match self {
            Self::Tls12 | Self::Tls13 => Framing::Records,
            Self::Private | Self::Safe => Framing::Blocks,
            Self::Clear => Framing::Raw,
        }
    }

    fn is_tls(self) -> bool {
        matches!(self, Self::Tls12 | Self::Tls13)
    }
}

impl Task {
    /// The way of the file's octets.
    pub fn direction(self) -> Direction {
        match self {
            Self::Put => Direction::ToServer,
            Self::Get => Direction::ToClient,
        }
    }
}

impl Scenario {
    /// The stream of the file's octets.
    pub fn file_stream(self) -> Stream {
        Stream { channel: Channel::Data(usize::from(self.is_second)), direction: self.task.direction() }
    }
}

impl Case {
    /// The intervention, at a unit of this session. Of a data connection the last unit, which is the authentic end, is
    /// hit more often than the others.
    pub fn tampering(&self, profile: &Profile) -> Tampering {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let count = profile.kinds(self.stream).len() + usize::from(self.operation.inserts());
        let is_at_end = self.stream.channel != Channel::Control && rng.random_bool(0.25);
        let index = if is_at_end { count.saturating_sub(1) } else { rng.random_range(0..count.max(1)) };
        Tampering { stream: self.stream, index, operation: self.operation, seed: self.seed }
    }
}

impl Profile {
    /// From the tape of a session without interference.
    pub fn new(events: Vec<Event>) -> Self {
        Self { events }
    }

    /// The units of a stream.
    pub fn kinds(&self, stream: Stream) -> Vec<Kind> {
        kinds(&self.events, stream)
    }

    /// Number of units of the control connection that went in this direction before the first of the file's octets.
    pub fn control_before_file(&self, scenario: Scenario, direction: Direction) -> usize {
        let file = scenario.file_stream();
        self.control_before(direction, |event| matches!(event, Event::Unit(stream, _) if *stream == file))
    }

    /// Number of units of the control connection that went in this direction before the end of the file: the next one
    /// from the server is its word on the transfer, the next one from the client is QUIT.
    pub fn control_before_end(&self, scenario: Scenario, direction: Direction) -> usize {
        self.control_before(direction, |event| *event == Event::End(scenario.file_stream()))
    }

    fn control_before(&self, direction: Direction, is_it: impl Fn(&Event) -> bool) -> usize {
        let end = self.events.iter().position(is_it).unwrap();
        kinds(&self.events[..end], Stream { channel: Channel::Control, direction }).len()
    }
}

fn kinds(events: &[Event], wanted: Stream) -> Vec<Kind> {
    let kind = |event: &Event| match event {
        Event::Unit(stream, kind) if *stream == wanted => Some(*kind),
        _ => None,
    };
    events.iter().filter_map(kind).collect()
}

fn interventions(protection: Protection, task: Task) -> Vec<(Stream, Operation)> {
    let mut interventions = Vec::new();
    for (operation, count) in OPERATIONS {
        for stream in streams(protection, task, operation) {
            interventions.extend(std::iter::repeat_n((stream, operation), count));
        }
    }
    if !protection.is_tls() {
        for (direction, lines) in DIRECTIONS.into_iter().zip([COMMANDS, REPLIES]) {
            let stream = Stream { channel: Channel::Control, direction };
            interventions.extend(lines.into_iter().cycle().take(6).map(|line| (stream, Operation::Inject(line))));
        }
    }
    interventions
}

fn streams(protection: Protection, task: Task, operation: Operation) -> Vec<Stream> {
    let streams = |channel: Channel| DIRECTIONS.map(|direction| Stream { channel, direction });
    if operation == Operation::Replay {
        return vec![Stream { channel: Channel::Data(1), direction: task.direction() }];
    }
    let data = streams(Channel::Data(0)).into_iter();
    // Under X-SafeTP1 nothing is sent in the direction opposite to the file.
    let data = data.filter(|stream| protection.is_tls() || stream.direction == task.direction());
    streams(Channel::Control).into_iter().chain(data).collect()
}
