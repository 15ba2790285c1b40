//! Large files, sealed in chunks: C2SP chunked-encryption with SHA-512 and AES-256-GCM
//! ("Cobblestone-256").
//!
//! `salt 24 ‖ commitment 32 ‖ chunk …`, each chunk 16 KiB of ciphertext and a tag of 16 bytes, the
//! last one always shorter, possibly empty. The nonce of a chunk is the base nonce XOR its number,
//! so chunks can be neither reordered nor repeated; a file whose last chunk is full was cut.
//! Plaintext byte i lies in chunk i / 16,384, which begins at offset 56 + 16,400 × that number.
//!
//! It must never hand out plaintext of a chunk that was not authenticated, nor reach the end of a
//! cut file without an error. The caller's context (who, which file, see
//! [`crate::Context::to_bytes`]) is bound into the key.

use std::io::{self, Read, Seek, SeekFrom, Write};

use zeroize::Zeroizing;

use crate::error::CryptoFailed;
use crate::key::{KEY_BYTES, SealKey};
use crate::primitive::{
    GcmKey, NONCE_BYTES, TAG_BYTES, constant_time_eq, gcm_key, hkdf_sha512_expand, random_bytes,
};

/// Plaintext in a full chunk, in bytes.
pub const CHUNK_BYTES: usize = 16 * 1024;
/// What stands before the first chunk, in bytes.
pub const HEADER_BYTES: usize = SALT_BYTES + COMMITMENT_BYTES;

const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
const SALT_BYTES: usize = 24;
const COMMITMENT_BYTES: usize = 32;
const MAX_CHUNKS: u64 = 1 << 38;

const EARLIER: &str = "seal a file: an earlier write failed";

const LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+";
const AEAD_NAME: &[u8] = b"AEAD_AES_256_GCM";

// The same three lengths for arithmetic on offsets.
const CHUNK: u64 = 16 * 1024;
const TAG: u64 = 16;
const SEALED_CHUNK: u64 = CHUNK + TAG;
const HEADER: u64 = 24 + 32;

/// Why a sealed file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// A chunk was changed or moved.
    #[error("open a sealed file: a chunk was changed or moved")]
    Damaged,
    /// The key or the context is another one, or the header was changed.
    #[error("open a sealed file: key or context does not fit")]
    Mismatch,
    /// The file ends before its last chunk, or within a chunk.
    #[error("open a sealed file: its end is missing")]
    Truncated,
}

impl From<ChunkError> for io::Error {
    fn from(error: ChunkError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Seals what is written into it; [`Sealer::finish`] must be called, or the file counts as cut.
pub struct Sealer<W: Write> {
    to: W,
    keys: FileKeys,
    pending: Zeroizing<Vec<u8>>,
    next: u64,
    failed: bool,
}

impl<W: Write> Sealer<W> {
    /// Begins a file in `to` under `key`, bound to `context`.
    ///
    /// # Errors
    /// Those of `to`, or that the library gives no salt.
    pub fn new(to: W, key: &SealKey, context: &[u8]) -> io::Result<Self> {
        Self::with_salt(to, key, context, &random_bytes().map_err(io::Error::other)?)
    }

    /// Seals the last chunk and gives back what was written to; the caller syncs it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal_pending()?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn with_salt(
        mut to: W,
        key: &SealKey,
        context: &[u8],
        salt: &[u8; SALT_BYTES],
    ) -> io::Result<Self> {
        let (keys, commitment) = FileKeys::of(key, salt, context).map_err(io::Error::other)?;
        to.write_all(salt)?;
        to.write_all(&commitment)?;
        Ok(Self {
            to,
            keys,
            pending: Zeroizing::new(Vec::with_capacity(SEALED_CHUNK_BYTES)),
            next: 0,
            failed: false,
        })
    }

    fn seal_pending(&mut self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other(EARLIER));
        }
        // Until it is written: a chunk that is missing or half there can never be made good, and a
        // second try would use its nonce again.
        self.failed = true;
        let nonce = self.keys.nonce(self.next)?;
        let tag = self
            .keys
            .key
            .seal(&nonce, &[], &mut self.pending)
            .map_err(io::Error::other)?;
        self.pending.extend_from_slice(&tag);
        self.to.write_all(&self.pending)?;
        self.pending.clear();
        self.next += 1;
        self.failed = false;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(io::Error::other(EARLIER));
        }
        let room = CHUNK_BYTES.saturating_sub(self.pending.len());
        let taken = plaintext.get(..room).unwrap_or(plaintext);
        self.pending.extend_from_slice(taken);
        if self.pending.len() == CHUNK_BYTES {
            self.seal_pending()?;
        }
        Ok(taken.len())
    }

    /// Flushes whole chunks; what does not fill one waits, for only the last may be short.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads the plaintext of a sealed file, from the beginning or from any place.
///
/// Opening checks key, context and the end of the file; each chunk is authenticated before a byte
/// of it is given out.
pub struct Opener<R: Read + Seek> {
    from: R,
    keys: FileKeys,
    length: u64,
    position: u64,
    held: Option<u64>,
    chunk: Zeroizing<Vec<u8>>,
}

impl<R: Read + Seek> Opener<R> {
    /// Opens the whole of `from`, sealed under `key` and bound to `context`.
    ///
    /// # Errors
    /// Those of `from`; a [`ChunkError`] inside an error of kind `InvalidData`.
    pub fn new(mut from: R, key: &SealKey, context: &[u8]) -> io::Result<Self> {
        let sealed_length = from.seek(SeekFrom::End(0))?;
        let length = plaintext_length(sealed_length).ok_or(ChunkError::Truncated)?;
        from.rewind()?;
        let (mut salt, mut commitment) = ([0; SALT_BYTES], [0; COMMITMENT_BYTES]);
        from.read_exact(&mut salt)?;
        from.read_exact(&mut commitment)?;
        let (keys, expected) = FileKeys::of(key, &salt, context).map_err(io::Error::other)?;
        if !constant_time_eq(&expected, &commitment) {
            return Err(ChunkError::Mismatch.into());
        }
        let mut opener = Self {
            from,
            keys,
            length,
            position: 0,
            held: None,
            chunk: Zeroizing::new(Vec::with_capacity(SEALED_CHUNK_BYTES)),
        };
        // The last chunk proves the length: without it any cut at a chunk's end would go unseen
        // until a reader came there.
        opener.hold(length / CHUNK)?;
        Ok(opener)
    }

    /// Length of the plaintext, in bytes; authenticated.
    pub const fn length_bytes(&self) -> u64 {
        self.length
    }

    /// Makes `chunk` hold the plaintext of this chunk.
    fn hold(&mut self, number: u64) -> io::Result<()> {
        if self.held == Some(number) {
            return Ok(());
        }
        self.held = None;
        self.from
            .seek(SeekFrom::Start(HEADER + number * SEALED_CHUNK))?;
        self.chunk.clear();
        (&mut self.from)
            .take(SEALED_CHUNK)
            .read_to_end(&mut self.chunk)?;
        let is_last = number == self.length / CHUNK;
        let expected = if is_last {
            self.length % CHUNK + TAG
        } else {
            SEALED_CHUNK
        };
        if u64::try_from(self.chunk.len()) != Ok(expected) {
            return Err(ChunkError::Truncated.into());
        }
        let nonce = self.keys.nonce(number)?;
        let opened = self.keys.key.open(&nonce, &[], &mut self.chunk);
        if opened.is_err() {
            self.chunk.clear();
            return Err(ChunkError::Damaged.into());
        }
        let plaintext = self.chunk.len() - TAG_BYTES;
        self.chunk.truncate(plaintext);
        self.held = Some(number);
        Ok(())
    }
}

impl<R: Read + Seek> Read for Opener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || self.position >= self.length {
            return Ok(0);
        }
        self.hold(self.position / CHUNK)?;
        let within = usize::try_from(self.position % CHUNK).map_err(io::Error::other)?;
        let mut rest = self.chunk.get(within..).unwrap_or_default();
        let read = rest.read(out)?;
        self.position += u64::try_from(read).map_err(io::Error::other)?;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Opener<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// The plaintext's length for a sealed file of this length, if there is one.
pub const fn plaintext_length(sealed_bytes: u64) -> Option<u64> {
    let Some(chunks) = sealed_bytes.checked_sub(HEADER) else {
        return None;
    };
    let (full, last) = (chunks / SEALED_CHUNK, chunks % SEALED_CHUNK);
    if last < TAG || full >= MAX_CHUNKS {
        return None;
    }
    Some(full * CHUNK + last - TAG)
}

struct FileKeys {
    key: GcmKey,
    base_nonce: [u8; NONCE_BYTES],
}

impl FileKeys {
    fn of(
        key: &SealKey,
        salt: &[u8; SALT_BYTES],
        context: &[u8],
    ) -> Result<(Self, [u8; COMMITMENT_BYTES]), CryptoFailed> {
        let mut okm = Zeroizing::new([0; KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES]);
        hkdf_sha512_expand(
            key.expose(),
            &[LABEL, AEAD_NAME, &[0], salt, context],
            okm.as_mut_slice(),
        )?;
        let (file_key, rest) = okm.split_first_chunk().ok_or(CryptoFailed)?;
        let (base_nonce, commitment) = rest.split_first_chunk().ok_or(CryptoFailed)?;
        let keys = Self {
            key: gcm_key(file_key)?,
            base_nonce: *base_nonce,
        };
        Ok((keys, *commitment.first_chunk().ok_or(CryptoFailed)?))
    }

    fn nonce(&self, number: u64) -> io::Result<[u8; NONCE_BYTES]> {
        if number >= MAX_CHUNKS {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut nonce = self.base_nonce;
        for (byte, bits) in nonce.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte ^= bits;
        }
        Ok(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitive::sha256;
    use proptest::prelude::*;
    use std::io::Cursor;

    const CONTEXT: &[u8] = b"blob 7 of site 3";

    fn key() -> SealKey {
        SealKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap()))
    }

    fn plaintext(length: usize) -> Vec<u8> {
        (0..length)
            .map(|i| u8::try_from(((i * i) >> 3) & 255).unwrap())
            .collect()
    }

    fn seal(plaintext: &[u8], step: usize) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), &key(), CONTEXT).unwrap();
        for part in plaintext.chunks(step) {
            sealer.write_all(part).unwrap();
        }
        sealer.finish().unwrap()
    }

    fn open(sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut opened = Vec::new();
        Opener::new(Cursor::new(sealed), &key(), CONTEXT)?.read_to_end(&mut opened)?;
        Ok(opened)
    }

    fn why<T>(answer: io::Result<T>) -> ChunkError {
        let Err(error) = answer else {
            panic!("it opened")
        };
        *error.get_ref().unwrap().downcast_ref().unwrap()
    }

    /// Made with `Cobblestone256Encryptor` of pyca/cryptography 50: length, salt it drew, SHA-256
    /// of the file, for the key 00…1f and the context and plaintext above.
    #[test]
    fn files_are_the_ones_another_implementation_makes() {
        let vectors = [
            (
                0,
                "87cf5715ca5e4e7ae704129be180b389f8e8c18605458daa",
                "bcc1af669ed47e98a4e9077c7c247da07d69e7807f724db20e8e9651315707f9",
            ),
            (
                1,
                "77f8b722b347914ae295687f12344162d874a506d1108daa",
                "1930d3b1330f7a39b6e9a410c2747ee940f292836ff5dded4da19bbac0e0256f",
            ),
            (
                16383,
                "fb102f0c26d5cd72adc8c340f0135c1fd9807a1443e31500",
                "b575804ec3191ab4e9cb6999a672a259eb4733826713620d6547a461c85cc9f6",
            ),
            (
                16384,
                "8e22b30cea174ae375e6afde68670477efb3fb203787d1cd",
                "a8ebd64954aff08b28846a86ece5a579b6d44bc7b1b3503fca5cde9ffe70d6d0",
            ),
            (
                16385,
                "33cdecbf61fdce6a5942998a4ec9f72810905f5b5655c279",
                "25845443f36c5c58382b881e8c314d6bce402981507d9b0d32b837e3cf815315",
            ),
            (
                50000,
                "68c1ea4b42f1c78c45e6fe9887edd7518402cdaac282cbee",
                "847599c4ed9ee3f575f5abefb795b49f49f2751c0bce1362dbff817ee70a7554",
            ),
            (
                4915205,
                "fe0a3322dec1ec115785ef93a99b4f247969c9d30aa30ff2",
                "7c769335c93ef09cea5a8e5780a6b103d1b2a3280975aa3fe1116ac7b5a4e9a1",
            ),
        ];
        for (length, salt, digest) in vectors {
            let salt =
                std::array::from_fn(|i| u8::from_str_radix(&salt[2 * i..2 * i + 2], 16).unwrap());
            let mut sealer = Sealer::with_salt(Vec::new(), &key(), CONTEXT, &salt).unwrap();
            sealer.write_all(&plaintext(length)).unwrap();
            let sealed = sealer.finish().unwrap();
            let hex: String = sha256(&sealed).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(hex, digest, "{length}");
            assert_eq!(open(&sealed).unwrap(), plaintext(length));
        }
    }

    #[test]
    fn every_length_around_a_chunks_end_comes_back() {
        for length in [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 50_000] {
            let plaintext = plaintext(length);
            for step in [1_000, 16_384, 40_000] {
                let sealed = seal(&plaintext, step);
                assert_eq!(open(&sealed).unwrap(), plaintext, "{length} by {step}");
                let expected = u64::try_from(length).unwrap();
                let sealed = u64::try_from(sealed.len()).unwrap();
                assert_eq!(plaintext_length(sealed), Some(expected));
            }
        }
    }

    #[test]
    fn every_cut_is_refused_at_once() {
        let sealed = seal(&plaintext(40_000), 40_000);
        for cut in (0..sealed.len()).step_by(97).chain([
            55,
            56,
            HEADER_BYTES + SEALED_CHUNK_BYTES,
            HEADER_BYTES + 2 * SEALED_CHUNK_BYTES,
            sealed.len() - 1,
        ]) {
            let answer = Opener::new(Cursor::new(&sealed[..cut]), &key(), CONTEXT);
            let error = why(answer);
            assert!(
                matches!(error, ChunkError::Truncated | ChunkError::Damaged),
                "{cut}: {error}"
            );
        }
        // A full last chunk is a cut, whatever its tag says.
        let whole = &sealed[..HEADER_BYTES + 2 * SEALED_CHUNK_BYTES];
        assert_eq!(why(open(whole)), ChunkError::Truncated);
        let longer = [sealed.as_slice(), &[0]].concat();
        assert_eq!(why(open(&longer)), ChunkError::Damaged);
    }

    #[test]
    fn reordered_repeated_and_dropped_chunks_are_refused() {
        let sealed = seal(&plaintext(50_000), 50_000);
        let (header, chunks) = sealed.split_at(HEADER_BYTES);
        let chunks: Vec<&[u8]> = chunks.chunks(SEALED_CHUNK_BYTES).collect();
        for order in [
            &[1, 0, 2, 3][..],
            &[0, 0, 2, 3],
            &[0, 2, 3],
            &[0, 1, 1, 2, 3],
        ] {
            let mut changed = header.to_vec();
            for number in order {
                changed.extend_from_slice(chunks[*number]);
            }
            assert_eq!(why(open(&changed)), ChunkError::Damaged, "{order:?}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        let sealed = seal(&plaintext(20_000), 20_000);
        for place in (0..80).chain((80..sealed.len()).step_by(211)) {
            let mut changed = sealed.clone();
            changed[place] ^= 0x10;
            let expected = if place < HEADER_BYTES {
                ChunkError::Mismatch
            } else {
                ChunkError::Damaged
            };
            assert_eq!(why(open(&changed)), expected, "{place}");
        }
    }

    #[test]
    fn another_key_or_context_is_refused() {
        let sealed = Cursor::new(seal(b"slide", 5));
        let other = SealKey::from_bytes([1; 32]);
        assert_eq!(
            why(Opener::new(sealed.clone(), &other, CONTEXT)),
            ChunkError::Mismatch
        );
        assert_eq!(
            why(Opener::new(sealed, &key(), b"blob 8 of site 3")),
            ChunkError::Mismatch
        );
    }

    #[test]
    fn a_file_that_was_not_finished_counts_as_cut() {
        let mut sealed = Vec::new();
        let mut sealer = Sealer::new(&mut sealed, &key(), CONTEXT).unwrap();
        sealer.write_all(&plaintext(16_384)).unwrap();
        sealer.flush().unwrap();
        drop(sealer);
        assert_eq!(why(open(&sealed)), ChunkError::Truncated);
    }

    #[test]
    fn after_a_failed_write_nothing_more_is_sealed() {
        struct FullOnce(Vec<Vec<u8>>);
        impl Write for FullOnce {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(bytes.to_vec());
                match self.0.len() {
                    3 => Err(io::ErrorKind::StorageFull.into()),
                    _ => Ok(bytes.len()),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut to = FullOnce(Vec::new());
        let mut sealer = Sealer::new(&mut to, &key(), CONTEXT).unwrap();
        let chunk = plaintext(CHUNK_BYTES);
        let error = sealer.write_all(&chunk).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(sealer.write_all(&chunk).is_err());
        assert!(sealer.finish().is_err());
        assert_eq!(to.0.len(), 3, "salt, commitment and the chunk that failed");
    }

    #[test]
    fn a_huge_file_has_a_length_and_a_larger_one_has_none() {
        let largest = HEADER + (MAX_CHUNKS - 1) * SEALED_CHUNK + SEALED_CHUNK - 1;
        assert_eq!(plaintext_length(largest), Some((1 << 52) - 1));
        assert_eq!(plaintext_length(largest + 1 + TAG), None);
        assert_eq!(plaintext_length(u64::MAX), None);
        assert_eq!(plaintext_length(HEADER + TAG - 1), None);
        assert_eq!(plaintext_length(HEADER + SEALED_CHUNK), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_part_can_be_read_from_any_place(
            length in 0usize..60_000,
            places in proptest::collection::vec((0u64..70_000, 0usize..40_000), 1..8),
        ) {
            let plaintext = plaintext(length);
            let sealed = seal(&plaintext, 7_777);
            let mut opener = Opener::new(Cursor::new(sealed), &key(), CONTEXT).unwrap();
            prop_assert_eq!(opener.length_bytes(), length as u64);
            for (start, count) in places {
                opener.seek(SeekFrom::Start(start)).unwrap();
                let mut read = Vec::new();
                (&mut opener).take(count as u64).read_to_end(&mut read).unwrap();
                let start = usize::try_from(start).unwrap().min(length);
                let end = (start + count).min(length);
                prop_assert_eq!(read.as_slice(), &plaintext[start..end]);
            }
        }

        #[test]
        fn seeking_goes_where_it_says(offset in -100i64..100, length in 0usize..300) {
            let mut opener =
                Opener::new(Cursor::new(seal(&plaintext(length), 300)), &key(), CONTEXT).unwrap();
            let expected = i64::try_from(length).unwrap() + offset;
            match opener.seek(SeekFrom::End(offset)) {
                Ok(position) => prop_assert_eq!(i64::try_from(position).unwrap(), expected),
                Err(error) => {
                    prop_assert!(expected < 0);
                    prop_assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
                }
            }
        }
    }
}
