-- What providers are to give back, and the page on which they take a payment.

ALTER TABLE provider_payments ADD COLUMN page TEXT;
ALTER TABLE provider_payments ADD COLUMN page_at_ms BIGINT;

CREATE TABLE provider_refunds (
    out_refund_no TEXT NOT NULL PRIMARY KEY,
    out_trade_no  TEXT NOT NULL REFERENCES provider_payments (out_trade_no),
    provider      TEXT NOT NULL,                       -- wechat, alipay
    refund_id     BIGINT,                              -- `id` of refunds; none for what was not wanted
    amount_fen    BIGINT NOT NULL,
    reason        TEXT NOT NULL,
    state         TEXT NOT NULL,                       -- wanted, processing, done, failed
    tries         BIGINT NOT NULL,
    next_at_ms    BIGINT NOT NULL,                     -- when the provider is asked again
    problem       TEXT,                                -- why it waits or has failed
    created_at_ms BIGINT NOT NULL,
    ended_at_ms   BIGINT
);
CREATE INDEX provider_refunds_due ON provider_refunds (next_at_ms)
    WHERE state IN ('wanted', 'processing');
CREATE INDEX provider_refunds_of_payment ON provider_refunds (out_trade_no);
