-- When a person was asked for; the members are told once for each conversation.
ALTER TABLE assistant_conversations ADD COLUMN handover_at BIGINT;
