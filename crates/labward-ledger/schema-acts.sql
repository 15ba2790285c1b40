-- Entries that are not the traffic of messages: what people and Labward itself did is found among
-- millions of messages. It grows at its end, as entries do.
CREATE INDEX entry_act ON entry (idx)
    WHERE action <> 'message.received' AND action <> 'message.delivered'
    AND action <> 'message.forwarded';
