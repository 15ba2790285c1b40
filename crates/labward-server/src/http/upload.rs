//! A body that its handler reads while it comes in.
//!
//! It must never hold more of it than a few chunks, wait for a sender for ever, or let a body that
//! broke off look whole.

use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::PATIENCE;

/// Chunks that may wait for the handler.
const CHUNKS: usize = 4;

/// What the handler reads from.
pub(crate) struct Upload {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
    /// Whoever asks next is told to ask again.
    has_given: bool,
    content_type: Option<String>,
}

/// The handler's side of a body, and what brings the body to it: both run at the same time.
pub(super) fn upload(
    body: Body,
    content_type: Option<String>,
) -> (Upload, impl Future<Output = ()>) {
    let (sender, chunks) = mpsc::channel(CHUNKS);
    let upload = Upload {
        chunks,
        chunk: Bytes::new(),
        has_given: false,
        content_type,
    };
    (upload, bring(body, sender))
}

async fn bring(mut body: Body, to: mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let chunk = match timeout(PATIENCE, frame).await {
            Ok(None) => return,
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(chunk) => Ok(chunk),
                // Trailers say nothing here.
                Err(_) => continue,
            },
            Ok(Some(Err(_))) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let failed = chunk.is_err();
        // A handler that has gone needs no more.
        if to.send(chunk).await.is_err() || failed {
            return;
        }
    }
}

impl Upload {
    /// What its sender says that it is.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The same as a body again, for whoever reads without blocking.
    pub(super) fn into_body(self) -> Body {
        Body::new(self)
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        // `multer` calls a form broken off when its content and its end come in the one moment between its two looks for
        // the first boundary (rwf2/multer#70), so they never come at once. It also holds no more than a chunk then.
        if std::mem::take(&mut self.has_given) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.chunk.is_empty() {
            self.has_given = true;
            let chunk = std::mem::take(&mut self.chunk);
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        let next = self.chunks.poll_recv(context);
        self.has_given = matches!(next, Poll::Ready(Some(Ok(_))));
        next.map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

impl Read for Upload {
    /// Blocks until there is something; never to be called on a thread of the runtime.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let taken = self.chunk.len().min(out.len());
        let part = self.chunk.split_to(taken);
        (&*part).read(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Body) -> io::Result<Vec<u8>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (mut upload, bring) = upload(body, None);
        let reading = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            upload.read_to_end(&mut bytes).map(|_| bytes)
        });
        runtime.block_on(bring);
        reading.join().unwrap()
    }

    /// Nothing is there when it is first asked, and everything when it is asked next.
    struct Late(Upload, bool);

    impl HttpBody for Late {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            if !std::mem::replace(&mut self.1, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Pin::new(&mut self.0).poll_frame(context)
        }
    }

    #[test]
    fn a_form_that_comes_whole_between_two_looks_is_read() {
        let text = "--XX\r\nContent-Disposition: form-data; name=\"about\"\r\n\r\n{}\r\n--XX--\r\n";
        let (sender, chunks) = mpsc::channel(1);
        sender
            .try_send(Ok(Bytes::from_static(text.as_bytes())))
            .unwrap();
        drop(sender);
        let upload = Upload {
            chunks,
            chunk: Bytes::new(),
            has_given: false,
            content_type: None,
        };
        let body = Body::new(Late(upload, false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut form = multer::Multipart::new(body.into_data_stream(), "XX");
            let field = form.next_field().await.unwrap().expect("a part");
            assert_eq!(field.name(), Some("about"));
            assert_eq!(field.text().await.unwrap(), "{}");
        });
    }

    #[test]
    fn a_body_is_read_to_its_end() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
        assert!(read(Body::from(bytes.clone())).unwrap() == bytes);
        assert!(read(Body::empty()).unwrap().is_empty());
    }

    #[test]
    fn a_body_that_breaks_off_is_an_error() {
        struct Broken(bool);
        impl HttpBody for Broken {
            type Data = Bytes;
            type Error = io::Error;
            fn poll_frame(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
                let first = std::mem::replace(&mut self.0, false);
                Poll::Ready(Some(if first {
                    Ok(Frame::data(Bytes::from_static(b"half")))
                } else {
                    Err(io::ErrorKind::BrokenPipe.into())
                }))
            }
        }
        let error = read(Body::new(Broken(true))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
