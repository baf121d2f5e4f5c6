//! Messages put together from whatever pieces a connection gives.

use proptest::prelude::*;
use tonic::Code;

use super::*;

fn message(head: usize, body: usize) -> FlightData {
    let bytes = |count: usize| Bytes::from_iter((0..count).map(|n| n as u8));
    FlightData { flight_descriptor: None, data_header: bytes(head), app_metadata: bytes(3), data_body: bytes(body) }
}

/// All messages that come whole when bytes arrive in pieces of these sizes, again and again.
fn taken(bytes: &[u8], sizes: &[usize]) -> Vec<FlightData> {
    let (mut arrived, mut messages, mut rest) = (Arrived::default(), Vec::new(), bytes);
    for size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        arrived.push(Bytes::copy_from_slice(piece));
        rest = after;
        while let Some(message) = arrived.message().unwrap() {
            messages.push(message);
        }
        if rest.is_empty() {
            break;
        }
    }
    assert!(arrived.is_empty());
    messages
}

proptest! {
    #[test]
    fn pieces_of_any_size_make_the_same_messages(
        lengths in prop::collection::vec((0usize..300, prop_oneof![Just(0usize), 1..200usize, 1000..5000usize]), 1..6),
        sizes in prop::collection::vec(1usize..2000, 1..5),
    ) {
        let sent: Vec<_> = lengths.iter().map(|(head, body)| message(*head, *body)).collect();
        // As tonic and every other client of gRPC write them.
        let usual: Vec<u8> = sent.iter().flat_map(|message| framed(&message.encode_to_vec(), 0)).collect();
        let ours: Vec<u8> = sent.iter().cloned().flat_map(apart).flatten().collect();
        prop_assert_eq!(&ours, &usual);
        let came = taken(&ours, &sizes);
        for message in came.iter().filter(|message| message.data_body.len() >= ALIGNED_BYTES_MIN) {
            prop_assert_eq!(message.data_body.as_ptr() as usize % arrow::alloc::ALIGNMENT, 0);
        }
        prop_assert_eq!(came, sent);
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let fault = |bytes: &'static [u8]| {
        let mut arrived = Arrived::default();
        arrived.push(Bytes::from_static(bytes));
        arrived.message::<FlightData>().unwrap_err().code()
    };
    assert_eq!(fault(&[1, 0, 0, 0, 1, 0]), Code::Unimplemented, "compressed");
    assert_eq!(fault(&[0, 255, 255, 255, 255]), Code::OutOfRange, "before any of it is kept");
    assert_eq!(fault(&[0, 0, 0, 0, 2, 255, 255]), Code::Internal, "no fields");
    // A body that says it is longer than its message.
    assert_eq!(fault(&[0, 0, 0, 0, 4, 0xc2, 0x3e, 100, 0, 1, 2, 3]), Code::Internal);
}
