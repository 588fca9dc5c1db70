//! A real small language model behind a real OpenAI-compatible server. Slow to install, so only on request.
