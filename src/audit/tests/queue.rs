//! When a batch is due: as many records as are on their way, or somebody's patience.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tokio::sync::oneshot;

use super::*;
use crate::audit::committer::{Job, Message};
use crate::audit::queue::Queue;

fn message() -> Message {
    let (done, _) = oneshot::channel();
    Message::Commit(Job { id: Uuid::nil(), payload: Vec::new(), blobs: [None, None], submitted: Instant::now(), done })
}

/// What the committer finds when it comes by: nothing, while no batch is due.
fn due(queue: &Queue) -> usize {
    let mut batch = VecDeque::new();
    if queue.is_due() {
        queue.take(&mut batch, Duration::ZERO);
    }
    batch.len()
}

fn push(queue: &Queue, begun: Option<u64>) -> u64 {
    queue.push(message(), begun).unwrap_or_else(|_| panic!("the queue is open"))
}

#[test]
fn a_record_alone_waits_for_nobody() {
    let queue = Queue::default();
    assert_eq!(due(&queue), 0);
    let begun = queue.expect();
    push(&queue, Some(begun));
    assert_eq!(due(&queue), 1);
}

#[test]
fn records_gather_until_as_many_wait_as_are_on_their_way() {
    let queue = Queue::default();
    let begun: Vec<_> = (0..5).map(|_| queue.expect()).collect();
    push(&queue, Some(begun[0]));
    push(&queue, Some(begun[1]));
    assert_eq!(due(&queue), 0, "two wait, three are on their way");
    push(&queue, Some(begun[2]));
    assert_eq!(due(&queue), 3);
    push(&queue, Some(begun[3]));
    assert_eq!(due(&queue), 1, "one waits, one is on its way");
}

#[test]
fn who_will_not_come_is_not_waited_for() {
    let queue = Queue::default();
    let begun: Vec<_> = (0..3).map(|_| queue.expect()).collect();
    push(&queue, Some(begun[0]));
    assert_eq!(due(&queue), 0);
    queue.gone(begun[1]);
    assert_eq!(due(&queue), 1);
}

#[test]
fn whoever_loses_patience_has_the_batch_made_now_and_not_the_next_one() {
    let queue = Queue::default();
    let _long = [queue.expect(), queue.expect()];
    let first = push(&queue, None);
    assert_eq!(due(&queue), 0);
    queue.press(first);
    assert_eq!(due(&queue), 1);
    let second = push(&queue, None);
    queue.press(first);
    assert_eq!(due(&queue), 0, "the first one is on the disk already");
    queue.press(second);
    assert_eq!(due(&queue), 1);
}

#[test]
fn a_long_answer_is_waited_for_a_few_times_only() {
    let queue = Queue::default();
    let long = [queue.expect(), queue.expect()];
    let mut waits = 0;
    for _ in 0..100 {
        let batch = push(&queue, None);
        if due(&queue) == 0 {
            waits += 1;
            queue.press(batch);
            assert_eq!(due(&queue), 1);
        }
    }
    assert!((1..=8).contains(&waits), "waited {waits} times");
    long.into_iter().for_each(|begun| queue.gone(begun));
    push(&queue, None);
    assert_eq!(due(&queue), 1);
}

#[test]
fn what_is_to_be_marked_and_the_end_wait_for_nobody() {
    let queue = Queue::default();
    let _long = [queue.expect(), queue.expect()];
    let unread = Message::Unread { id: Uuid::nil(), seq: 1, submitted: Instant::now() };
    assert!(queue.push(unread, None).is_ok());
    assert_eq!(due(&queue), 1);
    assert!(queue.push(Message::Close, None).is_ok());
    assert_eq!(due(&queue), 1);
}

#[test]
fn a_shut_queue_gives_back_what_it_has_and_what_comes() {
    let queue = Queue::default();
    let begun = queue.expect();
    push(&queue, None);
    assert_eq!(queue.shut().len(), 1);
    assert!(queue.push(message(), Some(begun)).is_err());
    assert_eq!(due(&queue), 0);
}

/// The committer sleeps without a glance at the clock. Once woken for a batch it must find one, even if answers are begun
/// before it has come: each of them would be waited for, and nobody would wake it again.
#[test]
fn whoever_was_woken_is_not_put_to_sleep_by_those_who_begin() {
    let queue = Arc::new(Queue::default());
    let (done, batches) = std::sync::mpsc::channel();
    let committer = queue.clone();
    std::thread::spawn(move || {
        let mut batch = VecDeque::new();
        while !batch.drain(..).any(|message| matches!(message, Message::Close)) {
            committer.take(&mut batch, Duration::from_secs(3600));
            done.send(batch.len()).expect("the test listens");
        }
    });
    for _ in 0..200 {
        while !queue.is_asleep() {
            std::thread::yield_now();
        }
        push(&queue, None);
        let begun = [queue.expect(), queue.expect()];
        assert_eq!(batches.recv_timeout(Duration::from_secs(60)), Ok(1));
        begun.into_iter().for_each(|batch| queue.gone(batch));
    }
    assert!(queue.push(Message::Close, None).is_ok());
    assert_eq!(batches.recv_timeout(Duration::from_secs(60)), Ok(1));
}

proptest! {
    /// However answers begin, end and are given up: none is lost, none counted twice, and once nobody is on the way the
    /// records that wait are due.
    #[test]
    fn the_count_comes_out_even(steps in prop::collection::vec(0u8..5, 0..200)) {
        let queue = Queue::default();
        let (mut begun, mut pushed, mut taken) = (VecDeque::new(), 0, 0);
        for step in steps {
            match step {
                0 | 1 => begun.push_back(queue.expect()),
                2 => if let Some(batch) = begun.pop_front() {
                    push(&queue, Some(batch));
                    pushed += 1;
                },
                3 => if let Some(batch) = begun.pop_back() {
                    queue.gone(batch);
                },
                _ => taken += due(&queue),
            }
        }
        begun.into_iter().for_each(|batch| queue.gone(batch));
        taken += due(&queue);
        prop_assert_eq!(taken, pushed);
        prop_assert!(!queue.is_due());
    }
}

/// Whoever waits for a record presses the queue themselves; the committer, left alone, would look after a second.
#[tokio::test]
async fn a_record_does_not_wait_for_long_answers() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(Options { deadline: Duration::from_millis(900), ..options(dir.path()) }).unwrap().0;
    let _long = [log.expect(), log.expect()];
    log.commit(record(1)).await.expect("durable in time");
    log.expect().commit(record(2)).await.expect("durable in time");
}
