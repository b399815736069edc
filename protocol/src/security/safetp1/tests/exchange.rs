use super::{KEY_1024, KEY_2048, pair};

#[test]
fn both_sides_come_to_the_same_keys_with_either_size_of_key() {
    for pem in [KEY_1024, KEY_2048] {
        let mut pair = pair(pem, 1);
        let command = pair.client.control.seal(b"USER alice\r\n").unwrap();
        assert_eq!(pair.server.control.open(&command).unwrap().line, b"USER alice");
        let reply = pair.server.control.seal(b"331 Password.\r\n").unwrap();
        assert_eq!(pair.client.control.open(&reply).unwrap().line, b"331 Password.");
    }
}
