/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_text.h - weirds of the analyzers of line-based protocols: X(name, policy, source), see
 * weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_TEXT_H
#define ZB_PIPELINE_WEIRD_TEXT_H

#define ZB_WEIRD_LIST_TEXT(X)                                         \
	X(contentline_size_exceeded, LOG, "CONTENTLINE")              \
	X(log_container_field_truncated, LOG, "")                     \
	X(base64_illegal_encoding, LOG, "")                           \
	X(exceeded_mime_max_depth, LOG, "SMTP")                       \
	X(exceeded_mime_max_header_bytes, LOG, "SMTP")                \
	X(NUL_in_line, LOG, "NVT")                                    \
	X(partial_finger_request, LOG, "FINGER")                      \
	X(FTP_invalid_command, LOG, "FTP")                            \
	X(FTP_max_command_length_exceeded, PER_CONN, "FTP")           \
	X(FTP_too_many_pending_commands, PER_CONN, "FTP")             \
	X(FTP_arg_too_long, PER_CONN, "FTP")                          \
	X(FTP_reply_msg_too_long, PER_CONN, "FTP")                    \
	X(ftp_adat_bad_first_token_encoding, LOG, "FTP_ADAT")         \
	X(FTP_user_too_long, PER_CONN, "FTP")                         \
	X(FTP_password_too_long, PER_CONN, "FTP")                     \
	X(partial_ftp_request, LOG, "FTP")                            \
	X(irc_line_size_exceeded, LOG, "IRC")                         \
	X(irc_line_too_short, LOG, "IRC")                             \
	X(irc_invalid_line, LOG, "IRC")                               \
	X(irc_invalid_reply_number, LOG, "IRC")                       \
	X(irc_invalid_command, LOG, "IRC")                            \
	X(irc_too_many_invalid, LOG, "IRC")                           \
	X(irc_invalid_names_line, LOG, "IRC")                         \
	X(invalid_irc_global_users_reply, LOG, "IRC")                 \
	X(irc_invalid_whois_user_line, LOG, "IRC")                    \
	X(irc_invalid_whois_operator_line, LOG, "IRC")                \
	X(irc_invalid_whois_channel_line, LOG, "IRC")                 \
	X(irc_invalid_topic_reply, LOG, "IRC")                        \
	X(irc_invalid_who_line, LOG, "IRC")                           \
	X(irc_invalid_privmsg_message_format, LOG, "IRC")             \
	X(irc_invalid_dcc_message_format, LOG, "IRC")                 \
	X(irc_invalid_dcc_host, LOG, "IRC")                           \
	X(irc_invalid_dcc_port, LOG, "IRC")                           \
	X(irc_invalid_notice_message_format, LOG, "IRC")              \
	X(irc_invalid_squery_message_format, LOG, "IRC")              \
	X(irc_invalid_oper_message_format, LOG, "IRC")                \
	X(irc_invalid_kick_message_format, LOG, "IRC")                \
	X(irc_invalid_join_line, LOG, "IRC")                          \
	X(irc_invalid_njoin_line, LOG, "IRC")                         \
	X(irc_invalid_who_message_format, LOG, "IRC")                 \
	X(irc_invalid_whois_message_format, LOG, "IRC")               \
	X(irc_invalid_invite_message_format, LOG, "IRC")              \
	X(irc_invalid_mode_message_format, LOG, "IRC")                \
	X(pop3_bad_base64_encoding, LOG, "POP3")                      \
	X(pop3_malformed_auth_plain, LOG, "POP3")                     \
	X(pop3_client_too_many_pending_commands, LOG, "POP3")         \
	X(pop3_client_command_unknown, LOG, "POP3")                   \
	X(pop3_client_sending_server_commands, LOG, "POP3")           \
	X(pop3_server_command_unknown, LOG, "POP3")                   \
	X(pop3_server_sending_client_commands, LOG, "POP3")           \
	X(sip_junk_before_request, LOG, "SIP")                        \
	X(unknown_SIP_method, LOG, "")                                \
	X(smtp_nested_mail_transaction, LOG, "SMTP")                  \
	X(smtp_unmatched_end_of_data, LOG, "SMTP")                    \
	X(smtp_excessive_pending_cmds, LOG, "SMTP")                   \
	X(smtp_mail_transaction_invalid, PER_CONN, "SMTP")            \
	X(smtp_excessive_invalid_mail_transactions, PER_CONN, "SMTP") \
	X(smtp_invalid_bdat_command, LOG, "SMTP")                     \
	X(smtp_huge_bdat_chunk, LOG, "SMTP")                          \
	X(smtp_bdat_line_lf_only, LOG, "SMTP_BDAT")                   \
	X(smtp_bdat_line_cr_only, LOG, "SMTP_BDAT")                   \
	X(smtp_bdat_line_too_long, LOG, "SMTP_BDAT")                  \
	X(smtp_bdat_undelivered_at_done, LOG, "SMTP_BDAT")            \
	X(smtp_missing_bdat_last_chunk, LOG, "SMTP")                  \
	X(SSH_max_packet_length_exceeded, LOG, "SSH")                 \
	X(socks5_unsupported_authentication_method, LOG, "")          \
	X(socks5_unsupported_authentication, LOG, "")

#endif
